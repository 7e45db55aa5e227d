"""The file system of a bucket, for drivers and workers alike: endpoint and credentials come from the environment."""

from __future__ import annotations

from functools import cache

import pyarrow.fs as pafs


@cache
def bucket_system(bucket: str) -> pafs.FileSystem:
    """The object store that holds the bucket; asked for by URI, because only then AWS_ENDPOINT_URL is heard."""
    system, _ = pafs.FileSystem.from_uri(f"s3://{bucket}")
    return system
