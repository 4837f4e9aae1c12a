"""The Parquet tables of a dataset, written row group by row group."""
