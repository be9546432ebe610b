import keras

from models.mlp_gan import build_mlp_discriminator, build_mlp_generator


def layer_widths(network, kind):
    return [layer.units for layer in network.layers if isinstance(layer, kind)]


def test_the_published_fully_connected_pair_layer_by_layer():
    generator, discriminator = build_mlp_generator((28, 28, 1), 100, 2), build_mlp_discriminator((28, 28, 1), 2)
    assert layer_widths(generator, keras.layers.Dense) == [128, 256, 512, 1024, 784]
    assert layer_widths(discriminator, keras.layers.Dense) == [512, 1024, 1024, 512, 1]
    assert sum(isinstance(layer, keras.layers.Embedding) for layer in generator.layers + discriminator.layers) == 2
