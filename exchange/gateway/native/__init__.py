"""The native protocol over HTTP and WebSocket."""
