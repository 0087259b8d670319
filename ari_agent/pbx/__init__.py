"""Asterisk: REST and events (ARI), media (WebSocket, AudioSocket), queues (AMI), the dialplan's question (FastAGI)."""
