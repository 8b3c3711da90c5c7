"""What `caduceus mcp` answers: a module for each kind of question, results/ in, JSON out.

No module here knows the protocol; `caduceus.mcp_sdk` does. Heavy imports wait for the first
question that needs them, since a client waits for the server to start.
"""
