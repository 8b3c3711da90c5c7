"""A process that has imported modules once, and forks itself for each program that needs them.

| | |
|---|---|
| `serving` | the server: it imports the modules, takes requests and ends by itself |
| `imports` | the import of the modules, and the checks by which a fork of them is a fresh start |
| `hidden_modules` | modules that a program finds only once it imports them |
| `inherited` | what the modules made while they were imported, and each program needs anew |
| `guards` | the process between server and program: it reaps what the program leaves behind |
| `programs` | the forked process: it becomes the program |
| `command_lines` | its command line, as `ps` shows it |
| `messages` | JSON over a socket |
"""
