"""Values behave as the dataclasses that they stand for."""
import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace

import pytest

from fetcher.value import frozen, value


@frozen
class Point:
    """A place."""

    x: int
    y: int = 0
    tags: list = field(default_factory=list, compare=False)
    unshown: str = field(default="", repr=False)

    def __post_init__(self):
        if self.x < 0:
            raise ValueError("x is below 0")


@dataclass(frozen=True, slots=True)
class Usual:
    """The same, by the standard library."""

    x: int
    y: int = 0
    tags: list = field(default_factory=list, compare=False)
    unshown: str = field(default="", repr=False)


@value
class Pair:
    """Two numbers, and one that does not count."""

    left: int
    right: int = 2
    note: int = field(default=0, compare=False)


def test_a_frozen_value_is_what_the_standard_library_makes():
    ours, theirs = Point(1, unshown="s"), Usual(1, unshown="s")
    assert is_dataclass(ours)
    assert [each.name for each in fields(ours)] == [each.name for each in fields(theirs)]
    assert repr(ours).replace("Point", "Usual") == repr(theirs)
    assert asdict(ours) == asdict(theirs)
    assert Point.__slots__ == Usual.__slots__
    assert hash(ours) == hash(theirs)


def test_fields_are_filled_by_position_by_name_and_by_default():
    assert (Point(1, 2).y, Point(1, y=3).y, Point(x=1).y) == (2, 3, 0)
    assert Point(1).tags == []
    assert Point(1).tags is not Point(1).tags


@pytest.mark.parametrize(("args", "given", "problem"), [
    ((), {}, "needs a value for 'x'"),
    ((1, 2, [], "", 5), {}, "takes at most 4 arguments, not 5"),
    ((1,), {"x": 2}, "got several values for 'x'"),
    ((1,), {"z": 2}, "has no field 'z'"),
])
def test_wrong_arguments_are_refused(args, given, problem):
    with pytest.raises(TypeError, match=problem):
        Point(*args, **given)


def test_values_are_checked_when_they_are_made_and_when_they_are_replaced():
    with pytest.raises(ValueError, match="below 0"):
        Point(-1)
    with pytest.raises(ValueError, match="below 0"):
        replace(Point(1), x=-1)
    assert replace(Point(1), y=5) == Point(1, 5)


def test_nothing_changes_a_frozen_value():
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2     # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert point.x == 1


@pytest.mark.parametrize("made", [Point(1, 2, ["a"], "s"), Pair(1, 2, 3)])
def test_values_are_copied_and_pickled(made):
    for other in copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)):
        assert other == made
        assert asdict(other) == asdict(made)


@pytest.mark.parametrize(("one", "other"), [(Pair(1), Pair(1, 2, 9)), (Point(1, 2, ["a"]), Point(1, 2))])
def test_equal_values_have_equal_hashes_and_some_fields_do_not_count(one, other):
    assert one == other
    assert hash(one) == hash(other)


def test_values_of_different_classes_are_never_equal():
    assert Pair(1) != Pair(2)
    others: list[object] = [Point(1, 2), 1, None, (1, 2)]
    for other in others:
        assert Pair(1) != other


def test_the_signature_is_that_of_the_fields():
    assert list(inspect.signature(Point).parameters) == ["x", "y", "tags", "unshown"]
    assert inspect.signature(Point).parameters["x"].default is inspect.Parameter.empty
    assert inspect.signature(Point).parameters["y"].default == 0
