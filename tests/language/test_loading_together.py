"""Two pages that open a model at the same moment get it whole."""

from concurrent.futures import ThreadPoolExecutor

from core.language.registry import load_policy


def test_models_loaded_in_several_threads_keep_their_output_layer_tied():
    with ThreadPoolExecutor(3) as threads:
        opened = list(threads.map(load_policy, ["storyteller"] * 3))
    for model, _ in opened:
        assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
