"""The words that the openings of *stories* are made of: one list a kind, each phrase grammatical wherever it is used."""


def _list(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.replace("\n", " ").split(";") if phrase.strip())


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part.strip() for part in phrase.split("|")) for phrase in _list(text))


GIRLS = _list("""Mia; Lily; Sara; Anna; Lucy; Amy; Sue; Emma; Zoe; Ella; Nina; Rosa; Ruby; Maya; Ivy; Kate; Jane; Molly; Daisy;
Grace; Ava; Chloe; Leila; Aisha; Yuki; Priya; Nora; Clara; Tina; Betty; Wendy; Hana; Fatima; Olga; Carmen; Ingrid; Amara; Mei;
Sofia; Lena; Rita; Pam; Dora; Elsa; Freya; Gina; Holly; Iris; June; Kira; Luna; Mary; Nadia; Polly; Sally; Tara; Vera; Zara;
Abby; Beth; Cora; Esme; Kim; Lola""")

BOYS = _list("""Tom; Tim; Ben; Max; Sam; Jack; Leo; Bob; Finn; Luke; Omar; Noah; Ravi; Kofi; Hugo; Oscar; Felix; Adam; Dan; Joe;
Mark; Peter; Henry; Jake; Carlos; Ali; Ken; Ivan; Theo; Milo; Owen; Eric; Fred; George; Harry; Ian; Jim; Karl; Liam; Matt; Nick;
Paul; Ron; Steve; Ted; Victor; Will; Zack; Andy; Billy; Charlie; David; Ethan; Hiro; Kwame; Mateo; Nils; Pablo; Raj; Samir; Tariq;
Yusuf; Alex; Dean""")

PET_NAMES = _list("""Pip; Coco; Spot; Max; Bella; Rusty; Mimi; Nibbles; Patch; Daisy; Whiskers; Biscuit; Tiny; Pepper; Ginger; Fluffy;
Bingo; Buddy; Oreo; Peanut; Shadow; Socks; Sunny; Teddy; Waffle; Ziggy; Button; Clover; Dusty; Echo; Fudge; Hazel; Jojo; Kiki; Lulu;
Muffin; Noodle; Olive; Pickle; Quill; Rocky; Sandy; Toby; Umi; Willow; Bo; Chip; Dot; Flip; Gus""")

ADULTS = _list("mom; dad; grandma; grandpa; mother; father; aunt; uncle")

SIBLINGS = _list("sister; brother; friend; cousin; little brother; big sister; neighbor; classmate")

FINDS = _list("""a red kite; an old key; a shiny stone; a blue feather; a tiny shoe; a broken clock; a silver coin; a yellow umbrella;
a lost mitten; a wooden spoon; a strange map; a letter with no name; a round mirror; a green marble; a straw hat; a golden ring;
a torn photo; a little bell; a striped sock; a paper boat; a small drum; a ball of string; a toy car; a large egg; a purple button;
a rusty lamp; a green bottle; a soft scarf; a black glove; a magnet; a whistle; a pink shell; a book without words;
a jar full of sand; a puppet; a wooden duck; a folded note; a music box""")

OUTDOORS = _list("""near the pond; under a tree; behind the barn; by the river; on the path; in the tall grass; next to the fence;
on the beach; in the park; under a bench; in the garden; at the bus stop; by the mailbox; on the hill; near the old well;
beside the hedge; beside the road; behind the school; at the edge of the woods; on the bridge; by the stream; by the gate""")

CONTAINERS = _list("""the old chest; the big box; the wooden trunk; the closet; the basket; the drawer; the blue suitcase; the barn door;
the tiny door; the fridge; the heavy book; the lunch box; the tent; the garden gate; the envelope; the cookie jar; the toy box;
the cupboard; the curtain; the picnic bag; the treasure box; the brown bag; the shed; the mailbox""")

MOMENTS = _list("""It was late in the evening; It was early in the morning; It was almost bedtime; It was time for lunch;
It was raining hard; The house was very quiet; Everyone was asleep; Dinner was on the table; The sun was going down;
It was a foggy day; The lights went out; The clock struck ten; It was the last day of summer; It was cold outside;
Mom was baking bread; Dad was reading the paper; Grandma was knitting; The baby was sleeping; It was a long afternoon; It was Sunday;
The wind was blowing; The first snow was falling""")

HOMES = _pairs("""frog | in a green pond; owl | in a tall oak tree; mouse | under the kitchen floor; fox | at the edge of the woods;
bear | in a deep cave; duck | by the river; squirrel | in a hollow tree; rabbit | under a hill; turtle | near a quiet lake;
cat | in a bakery; goat | on a steep mountain; crab | under a rock by the sea; spider | in the corner of a barn; lion | in the tall grass;
monkey | in the jungle; penguin | on the ice; camel | in the hot desert; whale | in the deep blue sea; dog | next to the train station;
pig | on a small farm; snail | beneath a big leaf; bee | in a busy hive; hedgehog | under a pile of leaves; parrot | on a pirate ship;
donkey | beside an old mill; elephant | near a wide river; kangaroo | on the dry plains; fish | in a round bowl""")

TRAITS = _list("""shy; small; big; clever; lazy; old; young; hungry; curious; brave; quiet; noisy; grumpy; sleepy; tiny; lonely; proud;
busy; careful; silly; gentle; restless; stubborn; thin; fat; quick; slow; clumsy; gray; brown""")

ANIMALS = _list("""rabbit; fox; bear; frog; mouse; owl; duck; turtle; squirrel; goat; crow; hedgehog; deer; cat; wolf; lion; monkey; pig;
sheep; snail; elephant; otter; beaver; donkey; hen; badger; goose; lizard; pony; raccoon""")

PETS = _list("""puppy; kitten; hamster; goldfish; parrot; rabbit; turtle; pony; lizard; mouse; duckling; cat; dog; snail; goat; lamb;
frog; guinea pig; chick; piglet; ferret; canary""")

SOUNDS = _list("""a loud crack; a soft cry; a strange song; a tapping sound; a bell; a splash; a whisper; footsteps; a long howl; a hum;
a squeak; a buzzing noise; a knock; a giggle; a low growl; a thump; music; a pop; a voice; a rustle;
a phone; a flute""")

SOUND_PLACES = _list("""the attic; the basement; the woods; the empty house; the well; the barn; the kitchen; the big tree; the closet;
the cave; the garden; the roof; the next room; the school hall; the boat; the tunnel; the bushes; the tower; the chimney; the garage;
the drain; the cellar""")

WISHES = _list("""fly like a bird; see the ocean; learn to read; touch the moon; cross the river; build a house; join the circus;
run faster than the wind; find a new home; sing in the choir; grow taller; ride on a train; taste honey; travel far away; climb the mountain;
paint the sky; live in the city; swim in the sea; sleep all winter; be the king; dance on stage; drive a truck""")

SEEN = _list("""the old boat; the dark cave; the big cake; the broken toy; the tall ladder; the new bike; the closed door; the empty cage;
the long slide; the small tree; the burnt cake; the muddy dog; the strange machine; the little house; the cookie jar; the painting;
the spider web; the giant pumpkin; the tiny puppy; the snowman; the deep hole; the red balloon; the locked gate; the frozen lake; the empty bowl""")

OPENERS = _list("""Can we; I think; Why is it; Who made; I wish; Is it; May I; Maybe we; I don't think; It looks; That is; We should;
What if; I want; Do you; We can't; There is; You must; This is; Let's; Did you; I know; Oh no,; How did""")

ASKS = _list("""Do you want; Have you seen; Why are you; Can I have; Will you; Where is; Did you hear; Do you know; How did you; What are you;
Can you help; Who took; When will; Are you; May I; Could we; What happened to; Why did; Is that; Would you; Shall we; Which one""")

QUESTIONS = _list("""Why is the moon so big; Where do birds sleep; Can I help you cook; What is in the bag; Who lives in that house;
Can we keep the kitten; Why do leaves fall; May I stay up late; Where did the dog go; Is it going to rain; What are you making;
Can I try it; How do bees make honey; Why is the baby crying; Are we lost; Who broke the vase; Can we go home now;
What does this button do; Is the soup ready; Where is my blanket; Can fish hear us; Do trees get cold; When is my birthday;
Why did the music stop; Can we paint the fence""")

COMMANDS = _list("""Please wash your hands; Don't touch the stove; Come down from the tree; Put on your coat; Wait for me; Stay close;
Try the soup; Be careful with the glass; Close the door; Don't open the box; Hold my hand; Pick up your toys; Look both ways;
Give it back; Turn off the light; Share the cake; Don't run; Feed the dog; Say you are sorry; Eat your peas; Listen to the teacher;
Go to bed; Leave the nest alone; Keep the secret""")

CLAIMS = _list("""I can jump higher than you; My tower is the tallest; I saw a ghost; There is a bug on your hat; The ice is too thin;
It is my turn; I lost the ball; My tooth is loose; I made this for you; We are going to move away; I can count to a hundred;
That is not fair; I don't want to play; The bridge is shaking; I have an idea; My shoes are wet; You are too small;
I heard a noise; The store is closed; I forgot my lines; This is my seat; The cat is gone; I found the key""")

SIGHTS = _list("""that cloud; the rainbow; my painting; that giant bug; the smoke; the fire truck; this map; the baby bird; that hole;
the stars; the parade; my new shoes; that big wave; the snow; the mess; this footprint; that balloon; the clock; the train; my arm;
the sky; that dog""")

JOBS = _list("""baker; farmer; bus driver; doctor; captain; mayor; firefighter; teacher; sailor; clown; wizard; mailman; gardener; pilot;
shopkeeper; fisherman; police officer; dentist; painter; librarian; carpenter; cook; pirate; nurse; zookeeper""")

SAYINGS = _list("You must; Please; I have; Do not; If you; Your; Come; This is; We need; I lost; Never; Take")

DOINGS = _list("""flying a kite on the hill; picking berries in the garden; building a sand castle; riding a bike in the park;
playing with blocks; digging a hole in the yard; walking home from school; feeding the ducks; drawing with chalk; baking cookies;
climbing a tall tree; jumping in puddles; looking for shells; painting a picture; washing the car; watering the flowers;
playing hide and seek; fishing at the lake; reading a book in bed; swinging at the playground; making a snowman; sweeping the floor;
skating on the ice; setting the table; chasing butterflies; throwing a ball; packing for a trip; swimming in the pool; rowing a small boat;
folding paper planes; picking apples; sorting buttons; planting seeds; waiting for the bus""")

TRIPS = _list("""to the zoo; to the dentist; to the market; to the beach; to the library; to the farm; to the fair; to the doctor;
to the train station; to the museum; to the lake; to the circus; to the mountains; to the toy store; to a new school; to the forest;
to the harbor; to the bakery; to the hospital; to the pool; to a wedding; to the city""")

CHORES = _list("""go to bed; clean the room; take a bath; eat the soup; go home; brush the dog; do the dishes; say goodbye; put away the toys;
leave the party; wake up; put on shoes; feed the cat; get a haircut; take a nap; share the crayons; walk to school; rake the leaves;
turn off the TV; try the new food; wash the windows; practice the piano""")

SKILLS = _list("""swim; ride a bike; whistle; bake bread; tie a knot; skate; play the drums; read a map; catch a fish; climb a rope;
write a letter; jump rope; juggle; draw a horse; sing a song; row a boat; fly a kite; do a magic trick; count coins; sew a button;
light a campfire; throw a ball""")

DREAMS = _list("""the house was full of water; a whale was singing; the stars fell down; everyone was tiny; the cat could talk;
the bed could fly; a giant was knocking; the moon was made of bread; the school was gone; the trees were walking; it was snowing inside;
a bear sat on the roof; the sea was pink; all the clocks stopped; the toys were alive; a train came into the room;
the dog was a king; the wind had a face; the road was made of candy; nobody knew the way home; a fish drove the bus; the floor was ice""")

OUTFITS = _pairs("""cold | a warm scarf; rainy | yellow boots; hot | a straw hat; windy | a thick coat; snowy | red mittens;
bright | dark glasses; muddy | old boots; chilly | a wool sweater; wet | a raincoat; dark | a bright vest; stormy | a life jacket;
frosty | two pairs of socks; dusty | an apron; warm | swimming shorts; gray | a blue cap; icy | skates; foggy | an orange vest;
slow | a pirate hat; busy | running shoes; strange | a paper crown; cool | a green jacket""")

WEATHER = _list("""The snow fell all night; The wind blew hard; The rain stopped; The sun came up; The fog was thick; Thunder shook the house;
The moon was full; The leaves began to fall; It was dark outside; The sky turned green; Hail hit the roof; The river rose;
A rainbow came out; The street was empty; The stars were out; The storm was over; Ice covered the road; Clouds came over the hill;
A warm wind came; Dust was in the air; The birds were loud""")

GIFTS = _list("""a drum; a puppy; a telescope; a red bike; a big book; a robot; a guitar; a box of paint; a pair of boots; a doll house;
a clock; a plant; a jigsaw puzzle; a soccer ball; a toy train; a kite; a fishing rod; a watch; a cowboy hat; a magic set; a tent;
a wooden horse; a camera""")

SHARED = _list("""the blue swing; the last cookie; the big ball; the window seat; the red crayon; the same book; the toy truck;
the top bunk; the front seat; the puzzle; the soft blanket; the only sled; the drum; the teddy bear; the largest apple; the train set;
the paint brush; the tallest chair; the shovel; the jump rope; the kite; the piano""")

BREAKABLES = _list("""a glass of milk; a plate; the blue vase; an egg; the jam jar; a cup; the cake; a bowl of soup; the flower pot; the lamp;
the phone; a bag of flour; the clock; the pizza; a tray of cookies; the fish bowl; the mirror; a bucket of paint; the tea pot; a box of pins;
the snow globe""")

BELONGINGS = _list("""left shoe; teddy bear; blue hat; lunch; favorite book; red crayon; blanket; toy train; mitten; glasses; kite; ball; ticket;
drum stick; backpack; whistle; doll; scooter; umbrella; sandwich; scarf; lucky coin; bell; toothbrush""")

MADE = _list("""a card; a paper flower; a mud pie; a sandwich; a necklace; a clay cup; a big mess; a cake; a hat; a painting; a kite; a bowl of soup;
a birdhouse; a scarf; a puppet show; a poem; a snow fort; a wooden boat; a crown of leaves; a song; a blanket""")

HIDING = _list("""under the rug; behind the couch; in a hollow tree; in the laundry; under the pillow; in the flour jar; behind the clock;
inside the piano; in the sand; under a rock; in the attic; in the garage; behind the curtain; in the freezer; under the stairs;
in the hallway; below the window; in the hay; on the roof; inside a pumpkin; behind the books""")

FEELINGS = _list("""sad; glad; tired; angry; excited; scared; proud; bored; surprised; lonely; cold; nervous; hungry; sleepy; confused;
brave; sorry; curious; upset; thirsty; calm; grumpy; worried; hopeful""")

PICTURES = _list("""the sea; a green horse; a storm; the whole family; a monster; a bowl of fruit; an empty room; the night sky; a sad clown;
a tall ship; the old dog; a city made of glass; a tree with a face; a battle; the teacher; a yellow house; a sleeping cat; a dark forest;
a man with wings; the winter garden; a huge whale""")

FOODS = _list("""a hot pie; a meatball; some bread; an apple; a bowl of rice; a plate of noodles; a sour lemon; some stew; some cheese;
a chocolate cake; a big pancake; a green pepper; some jam; some nuts; some popcorn; a slice of melon; a fish stick; a honey cake;
a spicy bean; some porridge; a pickle; a carrot""")

PEOPLE = _pairs("""baker | woke up before the sun; sailor | was afraid of water; king | never smiled; farmer | grew purple corn;
painter | painted only doors; clockmaker | was always late; girl | collected rain; boy | spoke to the trees; wizard | forgot every spell;
woman | knitted very long socks; teacher | kept a frog in her desk; man | carried a ladder everywhere; giant | lived with a mouse;
princess | liked mud; pirate | could not swim; fisherman | never caught a fish; mail carrier | walked backward; doctor | loved candy;
robot | wanted to sleep; tailor | made tiny hats; singer | lost her voice; knight | had no horse; witch | ran a small shop""")

VEHICLES = _list("""train; bus; boat; truck; tractor; airplane; tow truck; bike; ship; van; taxi; wagon; fire engine; cable car; sled; scooter;
balloon; submarine; race car; rocket; jeep""")

COLORS = _list("red; blue; green; yellow; orange; white; black; brown; silver; purple; gray")

VEHICLE_TROUBLE = _list("""would not move; went the wrong way; made a strange sound; was very slow; got lost; stopped in the rain;
got a new coat of paint; met a big crowd; was left in the barn; had its first day of work; needed a friend; carried a secret""")

WONDERS = _list("""a clock that ran backward; a tree with blue leaves; a house with no doors; a well that sang; a cat that wore boots;
a hill shaped like a shoe; a shop that sold clouds; a lamp that never went out; a bridge made of rope; a statue that moved at night;
a boat on a roof; a garden behind a high wall; a bell that nobody rang; a door in the ground; a road that went nowhere; a pond that glowed;
a tower full of birds; a chair for a giant; a mirror that showed the past; a horse made of stone; a box tied with string;
a key for every lock""")

LANDMARKS = _list("""an old house; the bakery; a tall gate; the fire station; a sleeping dog; the pet store; a stone lion; the broken bridge;
the candy shop; a dry fountain; the empty lot; a big clock; the red barn; a garden wall; the music school; a row of boats; the church;
a dark alley; the toy store; an apple tree; the ice cream truck""")

CLIMBABLE = _list("""the apple tree; the hill; a ladder; the tower; a big rock; the haystack; the rope; the fence; the wall; the lighthouse;
the tree house; the sand dune; the stairs; the roof; the snow pile; the mast; a stack of boxes; the mountain; the slide; the old oak;
the water tank""")

TRAILS = _list("""the tracks; a butterfly; the stream; a trail of crumbs; the sound; a white rabbit; the old map; a glowing bug; the narrow path;
the smell of smoke; a lost lamb; the red ribbon; a blue bird; the footprints; an ant; a rolling ball; the lantern; the music; a deer;
a fox; a strange light""")

SEEDS = _list("""a bean; a coin; a tiny seed; an old button; a sunflower; a potato; three nuts; a peach stone; a feather; a rose; a tulip;
a pea; a marble; a small tree; a pumpkin seed; an onion; a lemon; a candy; some corn; a carrot; a red seed""")

BUILT = _list("""a tower of blocks; a tree house; a sand castle; a raft; a birdhouse; a fort; a robot; a small bridge; a snowman; a campfire;
a wooden cart; a swing; a paper city; a dog house; a dam; a kite; a tent; a scarecrow; a boat; a rocket; a toy train""")

CLASSES = _list("""school; swim class; dance class; summer camp; music class; art class; soccer practice; kindergarten; piano lessons;
the school play; spring; winter break; cooking class; the fair; the harvest; chess club; vacation; baseball practice; skating lessons; the trip;
ballet class""")

CONTESTS = _list("""race; game; spelling contest; show; cooking contest; match; dance; parade; sack race; talent show; boat race; chess game;
swimming race; treasure hunt; snowball fight; pie contest; long walk; concert; puzzle hunt; school play; jumping contest""")

RIDES = _list("""at the last station; in front of a dark forest; by the sea; at a small island; next to a castle; in the middle of nowhere;
near the hospital; at the top of the hill; in a strange town; by a field of corn; at the zoo; under a bridge; at the snowy village;
beside a tall tower; in front of the school; at the wrong street; by the market; near an old mill; at the farm; in the rain;
at a quiet dock""")

STRANGERS = _list("""an old man with a lantern; a girl with a drum; a woman selling eggs; a boy with no shoes; a tired soldier; a tall man in a hat;
a lost child; a clown with a suitcase; a dog with a note; a nurse on a bike; a man with a parrot; a hungry cat; a knight; a singing beggar;
a woman with a map; a robot; a small giant; two noisy twins; an old witch; a wet mailman; a baby goat""")
