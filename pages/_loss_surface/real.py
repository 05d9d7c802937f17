"""The real reward model."""


def real_model() -> str:
    return ""
