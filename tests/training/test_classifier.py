"""Training of a classifier: from an archive to weights and their record."""

import hashlib
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from cxrmodel.errors import OutputFailed, TrainingError
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.model import network
from cxrmodel.model.spec import load_spec, read_features, read_graph
from cxrmodel.models import MODELS
from cxrmodel.training.archive import ARCHIVE, training_split
from cxrmodel.training.classifier import Sampler, load_training_images, loss_of, train_reader
from cxrmodel.training.export import export_reader, write_files
from cxrmodel.training.recipe import ClassifierOptions, load_recipe
from cxrmodel.training.record import TrainingRun, load_training_record
from tests.support.full_disk import disk_with


@pytest.fixture(scope="module")
def recipe(project: Path):
    """The CNN's shipped recipe, cut to two tiny epochs."""
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "cnn.toml")
    return shipped.replace(stages=((32, 1), (48, 1)), batch=8, precision="float32")


@pytest.fixture(scope="module")
def trained(make_archive, recipe, tmp_path_factory):
    """A CNN trained on a drawn archive: the archive, the run's folder and its record."""
    root = make_archive(tmp_path_factory.mktemp("archive"), patients=6)
    folder = tmp_path_factory.mktemp("run")
    return root, folder, train_reader(root, recipe, folder)


def test_a_run_leaves_weights_and_record(trained):
    """The folder holds everything needed to repeat or export the training."""
    _, folder, record = trained
    assert load_training_record(folder / "training.json") == record
    assert record.recipe.model == "cnn"
    assert [epoch.size for epoch in record.history] == [32, 48]
    assert record.split.held_out_patients
    assert record.split.used_images == record.split.train_images
    model = keras.models.load_model(folder / "cnn.keras", compile=False)
    assert model.input_shape == (None, 48, 48, 1)
    assert model.output_shape == (None, 1)
    assert {variable.dtype for variable in model.weights} == {"float32"}


def test_a_full_disk_leaves_the_earlier_export(tmp_path):
    """All of it: files of one export belong together."""
    earlier = {"a.onnx": b"earlier", "a.spec.json": b"{}"}
    write_files(tmp_path, earlier)
    with disk_with(1000), pytest.raises(OutputFailed):
        write_files(tmp_path, {"a.onnx": b"new", "a.spec.json": b"x" * 5000})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == earlier


def test_a_run_is_exported_with_everything_that_held_out_images_decide(trained, tmp_path):
    """The spec agrees with the run, and every file that it names is written."""
    root, folder, record = trained
    spec = export_reader(folder, root, tmp_path)
    assert (spec.labels, spec.ages) == (ARCHIVE.labels, ARCHIVE.ages)
    assert (spec.input_size, spec.mean, spec.std) == (48, record.mean, record.std)
    assert spec.held_out_patients == record.split.held_out_patients
    exported = load_training_record(tmp_path / "cnn.training.json")
    assert exported.calibration
    assert exported.replace(calibration=None) == record
    assert load_spec("cnn", tmp_path) == spec
    assert read_graph(spec, tmp_path)
    assert read_features(spec, tmp_path)


def test_statistics_are_those_of_training_images(trained):
    """Mean and spread are of the training crops: grey levels of the drawn images, in 0..1."""
    record = trained[2]
    assert 0.1 < record.mean < 0.7
    assert 0.05 < record.std < 0.4


def test_held_out_images_do_not_shape_the_statistics(trained, recipe, tmp_path, png):
    """Whitening every held-out image changes neither mean nor spread."""
    root, _, record = trained
    held_out = {image.file for image in record.held_out}
    for path in root.rglob("*.jpeg"):
        name = path.relative_to(root)
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        if str(name) in held_out:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
            data = png(np.clip(image / 255.0 * 0.5 + 0.3, 0, 1))
        place.write_bytes(data)
    other = train_reader(tmp_path, recipe.replace(stages=((48, 1),)), tmp_path / "run")
    assert (other.mean, other.std) == pytest.approx((record.mean, record.std), abs=1e-12)


def test_weights_of_another_training_can_be_started_from(trained, recipe, tmp_path):
    """--init PATH.keras begins with those weights: with a rate of nothing, it ends with them."""
    root, folder, _ = trained
    frozen = recipe.replace(stages=((48, 1),), peak_rate=1e-12, weight_decay=0.0)
    record = train_reader(root, frozen, tmp_path, init=str(folder / "cnn.keras"))
    before = keras.models.load_model(folder / "cnn.keras", compile=False)
    after = keras.models.load_model(tmp_path / "cnn.keras", compile=False)
    np.testing.assert_allclose(before.get_layer("logit").kernel, after.get_layer("logit").kernel, atol=1e-6)
    assert record.init == "cnn.keras"
    (run,) = record.before
    assert run.history == trained[2].history
    assert run.weights_sha256 == hashlib.sha256((folder / "cnn.keras").read_bytes()).hexdigest()


def test_weights_that_saw_the_held_out_images_are_refused(trained, recipe, tmp_path):
    """Another seed holds out other patients, some of whom were trained on."""
    root, folder, _ = trained
    other = recipe.replace(seed=recipe.seed + 1)
    with pytest.raises(TrainingError) as raised:
        train_reader(root, other, tmp_path, init=str(folder / "cnn.keras"))
    assert raised.value.message.code == "training.saw_held_out"
    assert not (tmp_path / "cnn.keras").exists()


def test_a_damaged_record_beside_initial_weights_is_an_error(trained, recipe, tmp_path):
    """Its held-out patients are unknown."""
    weights = tmp_path / "cnn.keras"
    weights.write_bytes((trained[1] / "cnn.keras").read_bytes())
    (tmp_path / "training.json").write_text("{")
    with pytest.raises(TrainingError) as raised:
        train_reader(trained[0], recipe, tmp_path / "run", init=str(weights))
    assert raised.value.message.code == "training.bad_record"


def test_weights_without_a_record_are_identified_by_their_hash(trained, recipe, tmp_path):
    """Nothing else is known of them."""
    root, folder, _ = trained
    alone = tmp_path / "alone.keras"
    alone.write_bytes((folder / "cnn.keras").read_bytes())
    record = train_reader(root, recipe.replace(stages=((48, 1),)), tmp_path / "run", init=str(alone))
    assert record.before == (TrainingRun(weights_sha256=hashlib.sha256(alone.read_bytes()).hexdigest()),)


def test_unusable_initial_weights_are_an_error(trained, recipe, tmp_path):
    """A missing file, a file that is no network, and ImageNet weights for a network that has none."""
    (tmp_path / "other.keras").write_bytes(b"no weights")
    for name, code in (("absent.keras", "training.unreadable_weights"), ("other.keras", "training.other_weights")):
        with pytest.raises(TrainingError) as raised:
            train_reader(trained[0], recipe, tmp_path / "run", init=str(tmp_path / name))
        assert raised.value.message.code == code
    with pytest.raises(TrainingError) as raised:
        train_reader(trained[0], recipe, tmp_path / "run", init="imagenet")
    assert raised.value.message.code == "model.no_imagenet_weights"


def test_a_failed_download_of_imagenet_weights_is_an_error(monkeypatch):
    """Keras reports it as a bare Exception."""

    def offline(*, weights, **options):
        if weights == "imagenet":
            raise Exception("URL fetch failure")
        return original(weights=weights, **options)

    original = keras.applications.DenseNet121
    monkeypatch.setattr(network.keras.applications, "DenseNet121", offline)
    with pytest.raises(TrainingError) as raised:
        network.build("densenet121", 32, init="imagenet")
    assert raised.value.message.code == "model.imagenet_not_downloaded"


def test_imagenet_kernels_are_summed_over_colours(monkeypatch):
    """Up to the last block, a grey image gives the features of three equal colour channels in the original network."""
    original = keras.applications.DenseNet121
    colour = original(include_top=False, weights=None, input_shape=(64, 64, 3))
    monkeypatch.setattr(
        network.keras.applications,
        "DenseNet121",
        lambda *, weights, **options: colour if weights == "imagenet" else original(weights=weights, **options),
    )
    built = network.build("densenet121", 64, init="imagenet")
    grey = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    ours, theirs = (keras.Model(one.input, one.get_layer("pool4_conv").output) for one in (built, colour))
    np.testing.assert_allclose(ours(grey), theirs(np.repeat(grey, 3, axis=-1)), atol=1e-4)


@pytest.mark.parametrize(
    ("outside", "wanted"),
    [
        ((0, 0, 0, 0), 0.0),  # everything above zero lies inside
        ((0, 0, 1, 0), 0.25),  # 1 of 1 + 2 + 1
        ((0.5, 1, 0.5, 1), 0.375),  # half of 2 and half of 1; what is below zero does not count
        ((1, 1, 1, 1), 0.75),
    ],
)
@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_penalty_on_evidence_outside_the_lungs_by_hand(outside, wanted, weight):
    """At a logit of 0 the entropy is log 2; evidence is 2, -1, 1 and 0."""
    targets, outputs = np.float32([[1, *outside]]), np.float32([[0, 2, -1, 1, 0]])
    if not weight:
        targets, outputs = targets[:, :1], outputs[:, :1]
    (loss,) = np.asarray(loss_of(0.0, weight)(targets, outputs))
    assert loss == pytest.approx(np.log(2) + weight * wanted, abs=1e-6)


def test_targets_of_penalised_samples(make_archive, tmp_path):
    """The label, then for positive images the share of each place outside the lungs; zero for the others."""
    root = make_archive(tmp_path / "archive", patients=4)
    data = load_training_images(root, training_split(root).train, LungSegmenter.load())
    still = ClassifierOptions(margin=0.0, degrees=0, jitter=0, surroundings=0, covered=0, outside=1.0)
    sampler = Sampler(data, 0.5, 0.2, still, 16)
    for index, image in enumerate(data.images):
        _, target, _ = sampler(index, 64, np.random.default_rng(0))
        assert target.shape == (17,)
        assert target[0] == image.label
        assert target[1:].min() >= 0
        assert target[1:].max() <= 1
        assert bool(target[1:].any()) == bool(image.label)
    covered = Sampler(data, 0.5, 0.2, still.replace(covered=1.0), 16)
    assert not any(covered(i, 64, np.random.default_rng(0))[1][1:].any() for i in range(len(data.images)))


@pytest.mark.parametrize("model", MODELS.names)
def test_evidence_in_training_has_the_logit_as_its_mean(model):
    """With the bias; and the weights are the network's own."""
    built = network.build(model, 64)
    built.get_layer("logit").bias.assign([0.3])
    both = network.with_evidence(built)
    found = both.predict_on_batch(np.random.default_rng(0).normal(size=(2, 64, 64, 1)).astype(np.float32))
    assert found.shape == (2, 1 + (64 // MODELS[model].stride) ** 2)
    np.testing.assert_allclose(found[:, 1:].mean(axis=1) + 0.3, found[:, 0], atol=1e-4)
    assert {id(one) for one in both.weights} == {id(one) for one in built.weights}


def test_shuffled_labels_are_one_permutation_and_never_exported(project, make_archive, tmp_path):
    """As many of each class, the same in every run, different from the true labels."""
    root = make_archive(tmp_path / "archive", patients=8)
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "shuffled.toml")
    options = shipped.read_options(ClassifierOptions)
    assert options.shuffle_labels is True
    data = load_training_images(root, training_split(root).train, LungSegmenter.load())
    samplers = [Sampler(data, 0.5, 0.2, options, 16) for _ in range(2)]
    np.testing.assert_array_equal(samplers[0].labels, samplers[1].labels)
    assert sorted(samplers[0].labels) == sorted(data.labels)
    assert (samplers[0].labels != data.labels).any()
    tiny = shipped.replace(model="cnn", stages=((32, 1),), batch=8, precision="float32")
    train_reader(root, tiny, tmp_path / "run")
    with pytest.raises(TrainingError) as raised:
        export_reader(tmp_path / "run", root, tmp_path / "out")
    assert raised.value.message.code == "training.shuffled_labels"
    assert not (tmp_path / "out").exists()
