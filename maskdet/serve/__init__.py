"""The server: what ``maskdet detect`` answers, over HTTP and WebSocket, with a page. FastAPI is imported here only."""
