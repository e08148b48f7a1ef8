"""The same exchange as several processes over Redis Streams: cores, gateways, a fenced lease."""
