"""The flags of all scripts and commands together: one name means one thing, and what was renamed says so."""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import augment
import common
import evaluate_fid
import generate_data
import predict
from benchmarks import recipes as search
from common.options import list_settings
from common.output_folder import OutputFolder
from models.recipes import Recipe

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {"generate_data": generate_data, "predict": predict, "augment": augment, "evaluate_fid": evaluate_fid}
# {flag of several parsers: (what differs between them, why)}
DIFFERENT = {
    "--out": ({"default"}, "every script has a folder of its own, and predict.py one for each mode"),
    "--seeds": ({"default"}, "predict.py gives a first answer, balance chooses among candidates"),
    "--filter": ({"default", "choices", "help"}, "predict.py rejects fresh images; imbalance has few for a classifier"),
    "--keep": ({"default"}, "imbalance takes the better half"),
    "--classifier-steps": ({"default"}, "balance has many classifiers to fit"),
    "--arms": ({"default"}, "some arms are for classes of different sizes alone"),
    "--gans": ({"default"}, "imbalance adds a GAN of the small class alone"),
    "--images": ({"help"}, "the search draws them, evaluate_fid.py takes those that are there"),
    "--epochs": ({"default", "type", "help"}, "of the classifier in predict.py, else of the GAN"),
    "--steps": ({"type", "help"}, "of the classifier in predict.py, else of the GAN"),
    "--batch-size": ({"default", "type"}, "of the classifier in predict.py, else of the GAN"),
    "--flip": ({"default"}, "a recipe's own counts where it is not given"),
    "--rate-decay": ({"default", "choices", "help"}, "of the classifier in predict.py, else of the GAN"),
}


def list_parsers():
    """{name: parser} of the scripts, of their commands, and of the search over recipes."""
    found = {"search": search.build_parser()}
    for name, script in SCRIPTS.items():
        parser = script.build_parser()
        groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        found |= {f"{name} {command}": sub for group in groups for command, sub in group.choices.items()}
        found |= {} if groups else {name: parser}
    return found


PARSERS = list_parsers()


def describe(action):
    """What a flag means, without the note on its default; the help is None where --help hides it."""
    hidden = action.help == argparse.SUPPRESS
    help = None if hidden else re.sub(r" \((default: |quick: |in [\[(]).*\)$", "", action.help)
    choices = tuple(action.choices) if action.choices else None
    kind = (type(action).__name__, action.type, action.nargs)
    return {"help": help, "default": action.default, "choices": choices, "type": kind, "dest": action.dest}


def list_meanings():
    """{flag: [description in each parser that has it]}, without flags that only name another."""
    found = {}
    for parser in PARSERS.values():
        for action in parser._actions:
            for flag in action.option_strings if action.dest != argparse.SUPPRESS else ():
                found.setdefault(flag, []).append(describe(action))
    return found


def test_a_flag_means_the_same_everywhere_or_the_table_says_why():
    different = {}
    for flag, meanings in list_meanings().items():
        for part in meanings[0]:
            values = [meaning[part] for meaning in meanings if part != "help" or meaning["help"] is not None]
            if any(value != values[0] for value in values):
                different.setdefault(flag, set()).add(part)
    assert different == {flag: parts for flag, (parts, _) in DIFFERENT.items()}


def test_every_field_of_a_recipe_is_a_flag_wherever_a_gan_is_trained():
    wanted = {"--" + field.name.replace("_", "-") for field in fields(Recipe) if field.name != "name"}
    for name, parser in PARSERS.items():
        flags = {flag for action in parser._actions for flag in action.option_strings}
        assert wanted <= flags or name in ("predict", "search")


@pytest.mark.parametrize(
    ("script", "arguments", "prog", "message"),
    [
        (generate_data, ["--augment", "cutout"], "generate_data.py", "--augment is called --diffaugment now."),
        (evaluate_fid, ["--augment=cutout"], "evaluate_fid.py", "--augment is called --diffaugment now."),
        (augment, ["imbalance", "--augment", ""], "augment.py imbalance", "--augment is called --diffaugment now."),
        (augment, ["balance", "--ratio", "2"], "augment.py balance", "--ratio is called --surplus now."),
        (augment, ["balance", "--classes", "7"], "augment.py balance", "--classes is called --top-up now."),
        (augment, ["reduced", "--synthetic", "0", "9"], "augment.py reduced", "--synthetic is called --added now."),
        (augment, ["reduced", "--ratio", "2"], "augment.py", "unrecognized arguments: --ratio 2"),
    ],
)
def test_an_old_flag_is_one_line_and_exit_code_2(capsys, script, arguments, prog, message):
    with pytest.raises(SystemExit) as exit:
        script.main(arguments)
    assert exit.value.code == 2
    assert capsys.readouterr().err == f"{prog}: error: {message}\n"


def test_flags_that_others_have_given_up_stay_where_they_are():
    config = predict.parse_args(["--augment", "--ratio", "2", "--synthetic", "x", "--classes", "1,2"])
    assert (config.augment, config.ratio, config.synthetic, config.classes) == (True, 2.0, "x", "1,2")
    assert augment.parse_args(["reduced", "--classes", "1,2"]).classes == "1,2"


@pytest.mark.parametrize("name", PARSERS)
def test_flags_are_not_abbreviated(name):
    parser = PARSERS[name]
    assert not parser.allow_abbrev
    _, left = parser.parse_known_args(["--dat", "x"])
    assert "--dat" in left


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_version_is_that_of_the_library(name, capsys):
    with pytest.raises(SystemExit) as exit:
        SCRIPTS[name].main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"{name}.py {common.__version__}\n"


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_another_python_is_refused_before_anything_that_it_may_lack(name, version):
    lacking = "sys.modules |= dict.fromkeys(['numpy', 'filelock', 'tqdm', 'PIL'])"
    code = f"import runpy, sys; {lacking}; sys.version_info = {version}; runpy.run_path('{name}.py')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"Python 3\.11, 3\.12 or 3\.13 is needed\. This is 3\.\d+\.\d+\.\n", done.stderr)


# what config.json held of these requests before options were renamed, and where they are given today
STORED = {
    "prediction": """{"allow_leak": "False", "augment": "True", "batch_size": "32", "classes": "None",
        "classifier": "cnn", "data": "None", "epochs": "5", "filter": "classifier", "fresh": "False",
        "image_shape": "None", "image_size": "(28, 28)", "latent_std": "1.0", "min_probability": "0.5",
        "mode": "mixed", "model": "None", "rate": "0.001", "rate_decay": "cosine", "ratio": "2.0",
        "real_per_class": "None", "seed": "0", "seeds": "1", "steps": "None", "submission": "None",
        "synthetic": "synthetic", "synthetic_per_class": "None", "teacher": "None", "test_csv": "None"}""",
    "evaluation": """{"allow_leak": "False", "bootstrap": "20", "classes": "None", "compare": "('quick',)",
        "cross_check": "False", "data": "None", "features": "classifier", "fid_infinity": "False",
        "image_shape": "None", "image_size": "None", "images": "10000", "inception_weights": "None",
        "max_minutes": "None", "neighbours": "5", "real_per_class": "None",
        "recipe_options": "{'augment': 'cutout'}", "runs": "()", "seed": "0", "split": "test"}""",
    "balance": """{"classes": "7", "classifier_steps": 500, "data": null, "duplicate_distance": 4.0,
        "filter": "auto", "format": "npz", "image_shape": null, "image_size": null, "keep": 0.9, "latent_std": 1.0,
        "min_probability": 0.5, "model": null, "ratio": "1", "seeds": 5, "target": null}""",
    "study": """{"classes": null, "classifier_epochs": 5, "classifier_steps": 2000, "data": null,
        "duplicate_distance": 4.0, "filter": "auto", "gans": ["shared:quick"], "image_shape": null,
        "image_size": null, "keep": 0.9, "latent_std": 1.0, "max_minutes": null, "min_probability": 0.5,
        "recipe_fields": {"augment": "cutout"}, "seed": 0, "synthetic": [0, 100]}""",
    "search": """{"classifier_seeds": 3, "images": 10000, "minutes": null, "recipe": "quick"}""",
}
REQUESTS = {
    "prediction": (predict, ["--ratio", "2", "--augment", "--image-size", "28"]),
    "evaluation": (evaluate_fid, ["--compare", "quick", "--diffaugment", "cutout"]),
    "balance": (augment, ["balance", "--surplus", "1", "--top-up", "7", "--diffaugment", "cutout"]),
    "study": (augment, ["reduced", "--added", "0", "100", "--diffaugment", "cutout"]),
    "search": (search, ["--data", "x", "--variations", "r1"]),
}


@pytest.mark.parametrize("section", STORED)
def test_a_run_of_before_is_the_same_request_today(section, tmp_path):
    script, arguments = REQUESTS[section]
    settings = list_settings(script.parse_args(arguments))
    if section in ("prediction", "evaluation"):
        settings = {name: str(value) for name, value in settings.items()}
    made_by = '{"program": "gan-augmentation", "script": "s"}'
    (tmp_path / "config.json").write_text(f'{{"made_by": {made_by}, "{section}": {STORED[section]}}}')
    assert OutputFolder(tmp_path, {section: settings}, "s", ()).check() == []
    assert set(json.loads(STORED[section])) - set(settings) <= {
        "ratio",
        "classes",
        "synthetic",
        "inception_weights",
        "recipe_options",
    }
