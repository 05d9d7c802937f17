"""The texts of tokens without transformers are those that transformers gives."""

import subprocess
import sys

from core.language.light_tokenizer import LightTokenizer, light_tokenizer
from core.language.registry import load_tokenizer
from core.language.tokens import token_of

TEXT = "Once upon a time, “Zoë” said: 🦊\n\tyes!<|endoftext|>"


def test_every_token_reads_the_same():
    light, full = light_tokenizer("storyteller"), load_tokenizer("storyteller")
    assert isinstance(light, LightTokenizer)
    for token_id in range(len(full)):
        assert token_of(light, token_id) == token_of(full, token_id)
    ids = full(TEXT)["input_ids"]
    assert light.decode(ids) == full.decode(ids) == TEXT
    assert light.convert_ids_to_tokens(10**6) == ""


def test_it_needs_neither_torch_nor_transformers():
    program = (
        "import sys; from core.language.light_tokenizer import light_tokenizer; import core.alignment.ppo_reading.microscope;"
        "light_tokenizer('storyteller').decode([5, 6]); print({'torch', 'transformers'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"
