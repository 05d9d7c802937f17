"""A model's chat template is tried under limits before anybody waits for it."""

import pytest

from core.errors import PlaygroundError
from core.language import registry
from tests.language.byte_models import TURNS

_LOOPS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}x"
_GROWS = (
    "{% set ns = namespace(s='aaaaaaaaaa') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}"
)


@pytest.mark.parametrize(("template", "words"), [(_LOOPS, "does not come to an end"), (_GROWS, "more than a gigabyte")])
def test_a_template_without_end_is_refused(make_folder, template, words):
    with pytest.raises(PlaygroundError, match=f"its chat template .*{words}"):
        registry.load_tokenizer(str(make_folder("chat", chat_template=template)))


@pytest.mark.parametrize(
    "template", [TURNS, "{{ raise_exception('only with a system turn') }}", "{% if %}", "{{ messages[9].x }}"]
)
def test_any_other_is_whoever_uses_it_s_to_judge(make_folder, template):
    assert registry.load_tokenizer(str(make_folder("chat", chat_template=template))).chat_template == template
