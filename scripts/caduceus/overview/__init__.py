"""Views of a project: status, plan, why, gc, doctor, verification, MCP tools."""
