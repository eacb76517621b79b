"""``python -m benchmarks``: every benchmark, each with its peer in the same run."""

from __future__ import annotations

from benchmarks import callback, dingtalk_stream, extract, ingest, memo

if __name__ == "__main__":
    extract.main()
    ingest.main()
    callback.main()
    memo.main()
    dingtalk_stream.main()
