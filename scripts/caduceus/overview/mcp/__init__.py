"""The tools of `caduceus mcp`: functions that read results/ and return JSON.

Only `sdk` knows the protocol. Heavy imports are delayed until a tool needs them, since a client
waits for the server to start.
"""
