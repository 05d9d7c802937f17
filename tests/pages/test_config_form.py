"""Widgets made from a config: every field has one, with the config's own bounds, default and words."""

import pytest
from streamlit.testing.v1 import AppTest

from core.alignment.configs import PPOConfig, RewardConfig


def reward_page():
    import streamlit as st

    from core.alignment.configs import RewardConfig
    from pages._parts.config_form import config_form

    values = config_form(RewardConfig(), RewardConfig.model_fields, prefix="t")
    st.json(RewardConfig.checked(**values).model_dump_json())


def ppo_page():
    import streamlit as st

    from core.alignment.configs import PPOConfig
    from pages._parts.config_form import config_form

    values = config_form(PPOConfig(), PPOConfig.model_fields, prefix="t")
    st.json(PPOConfig.checked(**values).model_dump_json())


@pytest.mark.parametrize(("page", "config"), [(reward_page, RewardConfig), (ppo_page, PPOConfig)])
def test_untouched_widgets_give_the_defaults(page, config):
    at = AppTest.from_function(page, default_timeout=20).run()
    assert not at.exception
    assert config.model_validate_json(at.json[0].value) == config()


def test_bounds_and_help_are_the_configs():
    at = AppTest.from_function(ppo_page, default_timeout=20).run()
    for name in ("updates", "lam", "cliprange"):
        widget, field = at.number_input(key=f"t_{name}"), PPOConfig.model_fields[name]
        limits = {type(rule).__name__: rule for rule in field.metadata}
        assert widget.help == field.description
        assert widget.max == limits["Le"].le


def test_a_changed_value_reaches_the_config():
    at = AppTest.from_function(ppo_page, default_timeout=20).run()
    at.number_input(key="t_learning_rate").set_value(2e-4)
    at.number_input(key="t_kl_target").set_value(6.0)
    at.toggle(key="t_whiten_rewards").set_value(True)
    at.run()
    found = PPOConfig.model_validate_json(at.json[0].value)
    assert (found.learning_rate, found.kl_target, found.whiten_rewards) == (2e-4, 6.0, True)


def test_the_url_fills_the_widgets():
    at = AppTest.from_function(ppo_page, default_timeout=20)
    at.query_params["t_updates"] = "7"
    at.run()
    assert PPOConfig.model_validate_json(at.json[0].value).updates == 7
