"""Accept logs: decode a protocol, judge each record, stage one object. A 2xx is a durable write."""
