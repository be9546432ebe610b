import numpy as np
import pandas as pd

from tasks.prediction_figures import plot_confusion, plot_learning, plot_mistakes


def test_confusion_matrix_shows_every_count():
    figure = plot_confusion([[3, 1], [0, 2]], ("ape", "bee"))
    texts = {(text.get_position(), text.get_text()) for text in figure.axes[0].texts}
    assert texts == {((0, 0), "3"), ((1, 0), "1"), ((1, 1), "2")}


def test_a_confusion_matrix_of_many_classes_is_no_larger_and_has_no_numbers():
    names = [f"class {k}" for k in range(200)]
    figure = plot_confusion(np.ones((200, 200), int), names)
    assert max(figure.get_size_inches()) < 25
    assert not figure.axes[0].texts
    assert len(plot_confusion(np.ones((40, 40), int), names[:40]).axes[0].texts) == 1600


def test_mistakes_are_sorted_by_confidence_and_right_answers_left_out():
    images = np.zeros((3, 4, 4, 1), np.uint8)
    probabilities = np.array([[0.4, 0.6], [0.9, 0.1], [0.05, 0.95]])
    figure = plot_mistakes(images, np.array([0, 0, 0]), probabilities, ("ape", "bee"))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["ape\nnot bee (95%)", "ape\nnot bee (60%)"]
    assert plot_mistakes(images, np.array([1, 0, 1]), probabilities, ("ape", "bee")).axes


def test_learning_curves_have_a_line_per_seed():
    history = pd.DataFrame({"seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2]})
    history = history.assign(loss=1.0, val_loss=2.0, accuracy=0.5, val_accuracy=0.4)
    assert [len(axes.lines) for axes in plot_learning(history).axes] == [4, 4]
