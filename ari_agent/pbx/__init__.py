"""Asterisk: REST and events (ARI), media (chan_websocket), queue state (AMI) and the dialplan's question (FastAGI)."""
