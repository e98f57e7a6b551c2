"""Lines in: read lists and turn them into targets, one at a time. The memory needed does not depend on their length.

    files ──▶ blocks of bytes ──▶ lines ──▶ text  ──────────▶ targets ──▶ choice
              of compression?       │       jsonl ──▶ rows ──▶
                                    └─────▶ table ──▶
"""
from fetcher.targets.reader import TargetReader

__all__ = ["TargetReader"]
