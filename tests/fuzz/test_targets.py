"""Whatever a list contains, it is read to its end or refused with a sentence. A second reading gives the same."""
import pytest

from fetcher.errors import InputError
from fetcher.options import InputOptions
from fetcher.targets import TargetReader
from tests.fuzz import fuzz


@pytest.mark.parametrize("format", ["auto", "text", "csv", "tsv", "jsonl", "sitemap", "html", "markdown"])
def test_a_list_is_read_or_refused(tmp_path, format):
    path = tmp_path / "list"

    def check(data):
        path.write_bytes(data)
        targets, reader = [], None
        try:
            reader = TargetReader([str(path)], InputOptions(format))
            targets.extend(reader)
            assert reader.count() == len(targets)
        except InputError as error:
            assert str(error)
        for target in targets:
            assert (target.parsed is None) == (target.problem is not None)
            assert target.line >= 1
            if target.place >= 0:
                assert reader.read_again(target.place, target.line) == target
        if reader is not None:
            reader.close()

    fuzz("targets", check)
