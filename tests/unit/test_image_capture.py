"""Vision transformers: their patches are their tokens, what is shown is what they saw, their attention is their own."""

import numpy as np
import pytest
import torch

from services.capture import check_capture, load_model
from services.errors import ModelError
from services.modalities.images.cutting import ImageCutter
from services.modalities.registry import modality_of
from tests.one_line import one_line
from tests.unit.vision_models import CAPTURED, REFUSED, noise, save


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder(name):
        if name not in made:
            make, processor, _ = CAPTURED[name]
            made[name] = save(make, processor, tmp_path_factory.mktemp("model"))
        return made[name]

    return folder


@pytest.mark.parametrize("name", CAPTURED)
def test_captured_attention_is_the_models_own(folders, name):
    loaded = load_model(str(folders(name)))
    assert loaded.modality == "image"
    items = [loaded.tokenizer.cut(noise(*size)) for size in ((150, 100), (64, 64), (60, 90))]
    assert {item.special for item in items} == {CAPTURED[name][2]}
    assert check_capture(loaded, items) < 1e-5


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_other_tokens_than_patches_is_refused_with_the_reason(tmp_path, name):
    make, reason = REFUSED[name]
    with pytest.raises(ModelError, match=reason) as caught:
        load_model(str(save(make, "ViTImageProcessor", tmp_path)))
    assert one_line(caught)


@pytest.mark.parametrize(
    ("width", "height", "grid"), [(420, 280, (20, 30)), (280, 420, (30, 20)), (300, 300, (20, 20))]
)
def test_the_grid_is_that_of_the_very_image(tmp_path, width, height, grid):
    # A photograph of 3 : 2 with 4 registers: 600 patches and 5 tokens more (facebookresearch/dinov2#90).
    make, processor, special = CAPTURED["dinov2 with registers"]
    loaded = load_model(str(save(make, processor, tmp_path, size={"shortest_edge": 280})))
    item = loaded.tokenizer.cut(noise(width, height))
    assert item.grid == grid
    assert len(item) == grid[0] * grid[1] + len(special)
    assert check_capture(loaded, [item, loaded.tokenizer.cut(noise(400, 300))]) < 1e-5


def test_what_is_shown_is_what_the_model_saw(folders):
    loaded = load_model(str(folders("vit")))
    cutter: ImageCutter = loaded.tokenizer
    item = cutter.cut(noise(97, 61, seed=3))
    given = cutter.arguments([item], "cpu")["pixel_values"][0]
    again = (given * torch.tensor([0.229, 0.224, 0.225])[:, None, None]) + torch.tensor([0.485, 0.456, 0.406])[
        :, None, None
    ]
    assert np.abs((255 * again.numpy()).transpose(1, 2, 0) - item.pixels).max() < 1e-3
    # Its own processor, asked directly, says the same to half a level.
    values = cutter._processor(images=noise(97, 61, seed=3), return_tensors="np")["pixel_values"][0]
    assert np.abs(values - given.numpy()).max() < 0.51 / 255 / 0.224


def test_patches_are_cut_row_by_row(folders):
    loaded = load_model(str(folders("vit")))
    item = loaded.tokenizer.cut(noise(48, 48))
    assert item.patches.shape == (9, 16, 16, 3)
    assert (item.patches[5] == item.pixels[16:32, 32:48]).all()


def test_edges_that_no_patch_sees_are_not_shown(tmp_path):
    make, processor, _ = CAPTURED["dinov2"]
    loaded = load_model(str(save(make, processor, tmp_path, size={"height": 60, "width": 75})))
    assert loaded.tokenizer.cut(noise(100, 100)).pixels.shape == (56, 70, 3)


def test_a_folder_without_an_image_processor_is_refused_in_one_line(tmp_path):
    folder = save(*CAPTURED["vit"][:2], tmp_path)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"has no preprocessor_config\.json") as caught:
        load_model(str(folder))
    assert one_line(caught)


def test_what_a_model_reads_is_seen_in_its_configuration():
    for name, (make, _, _) in CAPTURED.items():
        assert modality_of(make().config.to_dict()).name == "image", name
    assert modality_of({"model_type": "bert", "vocab_size": 30522}).name == "text"
    assert modality_of({}).name == "text"
