import pytest

from bench.sizes import CRAWLED, PUBLISHED, Sizes


def test_a_list_as_long_as_the_crawl_has_the_sizes_that_are_published():
    sizes = Sizes(CRAWLED, 47_552_457)
    assert [(rank, round(sizes.of(rank))) for rank, _ in PUBLISHED] == list(PUBLISHED)


def test_all_hosts_together_have_the_lines_of_the_list():
    sizes = Sizes(3_000_000, 100_000)
    assert sum(sizes.of(rank) for rank in range(1, 100_001)) == pytest.approx(3_000_000, rel=1e-4)
    assert sizes.total == pytest.approx(3_000_000, rel=1e-3)


def test_no_host_is_larger_than_one_before_it():
    sizes = Sizes(1_000_000_000, 10_000_000)
    by_rank = [sizes.of(rank) for rank in range(1, 2_000)]
    assert by_rank == sorted(by_rank, reverse=True)


def test_classes_hold_each_host_once():
    sizes = Sizes(3_000_000, 100_000)
    assert sum(count for count, _ in sizes.classes(1_001)) == 99_000


def test_what_a_host_has_beyond_the_most_is_cut_off():
    assert Sizes(3_000_000, 100_000, most=50).of(1) == 50


def test_a_list_that_cannot_be_like_the_crawl_is_refused():
    with pytest.raises(ValueError, match="300,000 lines over 3,000 hosts"):
        Sizes(300_000, 3_000)
