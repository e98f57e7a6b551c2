"""Lines in: lists become targets, one at a time, in the same memory whatever their length.

    files ──▶ blocks of bytes ──▶ lines ──▶ text  ──────────▶ targets ──▶ choice
              of compression?       │       jsonl ──▶ rows ──▶
                                    └─────▶ table ──▶
"""
from fetcher.targets.reader import TargetReader

__all__ = ["TargetReader"]
