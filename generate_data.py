"""Train a GAN on real images, or load one, and stream filtered synthetic images class by class.

    python generate_data.py --class-size 1000
    python generate_data.py --data train.csv --recipe standard --class-size 5000 --format csv
    python generate_data.py --data fashion_mnist --classes Sneaker,Bag --class-size Sneaker:900,Bag:90
    python generate_data.py --model synthetic --out more --seed 1
    python generate_data.py --model mnist --class-size 100

The same command again continues where it stopped.
"""

import sys
from dataclasses import dataclass

from common import command_line  # first: it refuses a Python that is too old or too new

# isort: split

from common.command_line import parse_config, report_unless, run
from common.flags import add_flags, write_command
from common.options import check_options, take
from common.run_options import RunOptions, WorkOptions
from models.calls import called_with
from models.recipes import GANOptions, add_recipe_flags, take_recipe_fields, write_flags
from models.startup import Started, start
from real.data_options import SubsetOptions
from synth.shard_options import FilterOptions, SamplingOptions, ShardOptions


@dataclass(frozen=True, kw_only=True)
class Config(SubsetOptions, GANOptions, SamplingOptions, RunOptions, WorkOptions):
    """What to train on, how, and what to write; the flags of the same names say more.

    recipe_fields: the flags of a recipe's fields, as {"steps": 3000}.
    """

    def __post_init__(self):
        check_options(self)
        self.resolve()


@called_with(Config)
def generate_data(config):
    """Train or load the GAN that `config` names and write its shards; return the manifest (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and common.errors.RunError for a run that fails. With several hosts
    (TF_CONFIG) all train, and the first one writes; the others return {}.
    """
    inputs = {"--data": config.data, "--test-data": config.test_data, "--model": config.model}
    threads = start(config.out, inputs, report_unless(config.quiet), *take(config, WorkOptions))
    command = write_command("generate_data.py", config, more=write_flags(config.recipe_fields))
    from tasks.generation import generate

    data, *options = take(config, SubsetOptions, SamplingOptions, RunOptions, WorkOptions)
    return generate(data, config.resolve(), *options, Started(threads, command))


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(**take_recipe_fields(options), **options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__)
    add_flags(parser.add_argument_group("data"), Config, SubsetOptions)
    add_flags(parser.add_argument_group("training"), GANOptions, GANOptions)
    add_recipe_flags(parser.add_argument_group("any field of the recipe, with its value for 28 x 28 grey images"))
    sampling = parser.add_argument_group("sampling")
    add_flags(sampling, Config, ("class_size",))
    add_flags(sampling, Config, FilterOptions)
    add_flags(sampling, Config, ShardOptions)
    group = parser.add_argument_group("run")
    add_flags(group, Config, RunOptions)
    add_flags(group, Config, WorkOptions)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(
        build_parser(),
        lambda: generate_data(config),
        "The same command again continues from the last checkpoint or shard.",
    )


if __name__ == "__main__":
    sys.exit(main())
