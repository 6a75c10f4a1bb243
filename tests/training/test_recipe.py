"""Recipes: the shipped ones are valid, and a bad one is an error that names the setting."""

import pytest

from cxrmodel.errors import TrainingError
from cxrmodel.models import MODELS
from cxrmodel.paths import RECIPES
from cxrmodel.training.recipe import ClassifierOptions, Recipe, SegmenterOptions, load_recipe

RECIPE = Recipe(model="toy", stages=((8, 2), (12, 2)))


@pytest.mark.parametrize(("epoch", "size"), [(0, 8), (1, 8), (2, 12), (3, 12), (9, 12)])
def test_images_grow_by_stage(epoch, size):
    """Each stage has its own image side; the last one stays."""
    assert RECIPE.size_at(epoch) == size
    assert (RECIPE.epochs, RECIPE.final_size) == (4, 12)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("stages = [[8, 1]]", "model"),
        ('model = "cnn"', "stages"),
        ('model = "cnn"\nstages = []', "stages"),
        ('model = "cnn"\nstages = [[8, 1]]\nspeed = 3', "speed"),
        ('model = "cnn"\nstages = [[8, 1]]\nbatch = "32"', "batch"),
        ('model = "cnn"\nstages = [[8, 1]]\ndropout = 1.0', "dropout"),
        ('model = "cnn"\nstages = [[8, 1]]\n[options]\nmargin = "wide"', "options.margin"),
        ("model =", ""),
        ("model = 2026-01-01", ""),
    ],
)
def test_bad_recipes_name_the_setting(tmp_path, text, field):
    """A setting that is missing, unknown, of the wrong type or out of range."""
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(TrainingError) as raised:
        load_recipe(path)
    assert raised.value.message.code == "training.bad_recipe"
    assert raised.value.message.values["path"] == str(path)
    assert raised.value.message.values["problem"].startswith(field)


def test_missing_recipe_is_an_error(tmp_path):
    """The message names the path."""
    with pytest.raises(TrainingError) as raised:
        load_recipe(tmp_path / "absent.toml")
    assert raised.value.message.code == "training.unreadable"
    assert raised.value.message.values["path"] == str(tmp_path / "absent.toml")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_valid(path):
    """Options included, for networks whose training defines them."""
    recipe = load_recipe(path)
    kinds = {"lungs": SegmenterOptions} | dict.fromkeys(MODELS.names, ClassifierOptions)
    if recipe.model in kinds:
        assert recipe.read_options(kinds[recipe.model]).degrees >= 0


@pytest.mark.parametrize(("changes", "field"), [({"margin": 2.0}, "margin"), ({"zoom": 0.1}, "zoom")])
def test_bad_options_name_the_option(changes, field):
    """Out of range, or unknown to this training."""
    options = {"margin": 0.1, "degrees": 5, "jitter": 0.1, "surroundings": 0.5, "covered": 0.1}
    recipe = RECIPE.replace(options=options)
    assert recipe.read_options(ClassifierOptions).shuffle_labels is False
    with pytest.raises(TrainingError) as raised:
        recipe.replace(options=options | changes).read_options(ClassifierOptions)
    assert raised.value.message.code == "training.bad_options"
    assert raised.value.message.values["problem"].startswith(field)


def test_the_schedule_names_every_stage():
    """Sizes and epochs, and mixup where images were mixed."""
    mixed = RECIPE.replace(mixup=0.2)
    assert (RECIPE.schedule.code, mixed.schedule.code) == ("training.schedule", "training.schedule_with_mixup")
    assert all(f"{size} px" in str(mixed.schedule) for size in (8, 12))
