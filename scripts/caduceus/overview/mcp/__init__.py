"""What `caduceus mcp` answers: a module for each kind of question, results/ in, JSON out.

Only `sdk` knows the protocol. Heavy imports wait for the first question that needs them, since a
client waits for the server to start.
"""
