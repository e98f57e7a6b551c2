from fetcher.schedule.breaker import FIRST_SECONDS, MAX_SECONDS, Breaker


def opened(limit: int = 3, now: float = 0.0) -> Breaker:
    breaker = Breaker(limit)
    assert [breaker.failed(now) for _ in range(limit)] == [False] * (limit - 1) + [True]
    return breaker


def test_it_opens_after_so_many_failures_in_a_row():
    breaker = opened(3, now=7.0)
    assert breaker.is_open and breaker.open_until == 7.0 + FIRST_SECONDS


def test_success_in_between_starts_the_count_again():
    breaker = Breaker(3)
    for _ in range(4):
        assert not breaker.failed(0.0)
        assert not breaker.failed(0.0)
        breaker.reached()
    assert not breaker.is_open


def test_it_says_only_once_that_it_opens():
    breaker = opened()
    assert not any(breaker.failed(float(now)) for now in range(1, 1000))


def test_the_time_grows_with_each_probe_that_fails():
    breaker = opened()
    pauses = []
    for _ in range(9):
        now = breaker.open_until
        breaker.failed(now)
        pauses.append(breaker.open_until - now)
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, *[MAX_SECONDS] * 4]


def test_what_ran_when_it_opened_does_not_make_it_longer():
    breaker = opened()
    until = breaker.open_until
    breaker.failed(1.0)
    breaker.failed(2.0)
    assert breaker.open_until == until


def test_success_closes_it_and_all_is_forgotten():
    breaker = opened()
    breaker.failed(breaker.open_until)
    breaker.reached()
    assert not breaker.is_open and breaker.open_until == 0.0
    assert [breaker.failed(100.0) for _ in range(3)] == [False, False, True]
    assert breaker.open_until == 100.0 + FIRST_SECONDS


def test_without_a_limit_it_never_opens():
    breaker = Breaker(0)
    assert not any(breaker.failed(0.0) for _ in range(100)) and not breaker.is_open


def test_a_port_that_does_not_answer_leaves_the_others_of_its_host_alone():
    breaker = Breaker(2)
    breaker.reached(80)
    assert not any(breaker.failed(float(number), 81) for number in range(10))
    assert not breaker.is_open
    assert not breaker.failed(20.0, 80) and breaker.failed(21.0, 80)
