"""Records behave as frozen dataclasses do."""

import inspect
import pickle

import pytest

from tokenizers_lite._record import Record


class Point(Record):
    x: int
    y: int = 2


class Named(Point):
    name: str = "p"


def test_positional_keyword_and_default_fields():
    assert (Point(1).x, Point(1).y, Point(1, y=3).y, Named(1, 2, "q").name) == (1, 2, 3, "q")


def test_equality_is_by_class_and_fields():
    assert Point(1) == Point(1, 2)
    assert Point(1) != Named(1)
    assert hash(Point(1)) == hash(Point(1, 2))


def test_records_cannot_be_changed():
    with pytest.raises(AttributeError, match="frozen"):
        Point(1).x = 2
    with pytest.raises(AttributeError, match="frozen"):
        del Point(1).x


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})])
def test_wrong_fields_are_refused(args, kwargs):
    with pytest.raises(TypeError, match="Point"):
        Point(*args, **kwargs)


def test_replace_pickle_and_repr():
    assert Point(1).replace(y=5) == Point(1, 5)
    assert pickle.loads(pickle.dumps(Named(1))) == Named(1)
    assert repr(Point(1)) == "Point(x=1, y=2)"


def test_lazy_fields_are_made_once_and_when_read():
    made = []
    point = Point.lazy({"x": lambda: made.append(1) or 7})

    assert (made, point.y) == ([], 2)
    assert (point.x, point.x, made) == (7, 7, [1])
    assert point == Point(7)
    assert pickle.loads(pickle.dumps(Point.lazy({"x": lambda: 7}))) == Point(7)
    with pytest.raises(AttributeError, match="no field"):
        point.z  # noqa: B018


def test_signatures_are_those_of_the_fields():
    assert list(inspect.signature(Named).parameters) == ["x", "y", "name"]
    assert inspect.signature(Point).parameters["x"].default is inspect.Parameter.empty
    assert inspect.signature(Point).parameters["y"].default == 2
    assert inspect.signature(Point).parameters["x"].annotation in (int, "int")
