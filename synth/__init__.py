"""Everything that is not a network: data in, shards out, sampling, filters, metrics, figures."""
