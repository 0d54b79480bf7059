"""The operator's command line, `python -m operate`: one program for every installation (docs/adr/0034).

`command_line` parses, `access` finds region and credentials, `installation` reads the outputs of the deployed
stacks. A `Session` has these for one run; the other modules are the commands. They use the functions'
own modules, and read no environment variables except those of the AWS CLI.
"""
