"""Animal lover likes animals."""

from core.feedback.annotators.base import Annotator
from core.feedback.annotators.text import words

# Each animal once; regular plurals are added below. Words that in stories mostly mean something else (bat, seal, fly,
# swallow, kid) are left out; pets' and youngsters' names (kitty, puppy, chick) are in.
_REGULAR = """
alligator alpaca ant anteater ape badger bear beaver bee beetle bird bison blackbird boar buffalo bug bull bulldog bunny
butterfly camel canary cat caterpillar chameleon cheetah chick chicken chimpanzee chipmunk clam cobra cockatoo cow
coyote crab cricket crocodile crow cub dinosaur dog dolphin donkey dove dragonfly duck duckling eagle eel elephant elk
falcon fawn ferret firefly flamingo foal fox frog gecko gerbil giraffe goat goldfish gorilla grasshopper gull hamster
hare hawk hedgehog hen heron hippo hippopotamus horse hound hummingbird hyena iguana insect jaguar jellyfish kangaroo
kitten kitty koala ladybug lamb leopard lion lioness lizard llama lobster magpie meerkat mole monkey moose mosquito moth
mule nightingale octopus orangutan ostrich otter owl ox panda panther parakeet parrot peacock pelican penguin pig pigeon
piglet platypus pony porcupine puppy pup python rabbit raccoon ram rat raven reindeer rhino robin rooster salamander
salmon scorpion seagull seahorse shark sheep shrimp skunk sloth slug snail snake sparrow spider squid squirrel stork
swan tadpole tiger toad tortoise toucan trout turkey turtle viper vulture walrus wasp weasel whale wolf wombat
woodpecker worm yak zebra
"""
_IRREGULAR = """
fish deer goose geese gosling goslings mouse mice calf calves oxen wolves octopuses platypuses hippopotamuses
walruses mosquitoes buffaloes animal animals pet pets doggy doggies birdie birdies fishes foxes ostriches
"""
_NO_PLURAL = {"bison", "elk", "moose", "ox", "reindeer", "salmon", "sheep", "shrimp", "squid", "trout", "wolf"}


def _plural(animal: str) -> str:
    if animal in _NO_PLURAL:
        return animal
    if animal.endswith("y") and animal[-2] not in "aeou":
        return animal[:-1] + "ies"
    return animal + ("es" if animal.endswith(("s", "x", "ch", "sh")) else "s")


ANIMALS = frozenset(_REGULAR.split()) | {_plural(animal) for animal in _REGULAR.split()} | set(_IRREGULAR.split())


class AnimalLover(Annotator):
    """Animal words a hundred words: u = 100 · animal words / max(1, number of words), over the response alone.

    An animal word is one of `ANIMALS`, in the singular or plural, or with 's after it. Responses without an animal tie
    at 0: between two such, the vote is a coin's.
    """

    name = "animal_lover"
    title = "Animal lover"
    description = (
        "Likes animals. The utility is the number of animal words (a fixed list of about 180 animals, singular and "
        "plural, possessives too) in every hundred words of the response. Responses without an animal tie at 0."
    )
    scale = 4.0

    def utility(self, prompt: str, response: str) -> float:
        """Animal words in every hundred words of the response, from 0 to 100; 0 when it has no word."""
        found = words(response)
        animals = sum(word.strip("'").removesuffix("'s") in ANIMALS for word in found)
        return 100 * animals / max(1, len(found))
