"""A module that opens a connection when it is imported, as no handler may."""

import socket

socket.create_connection(("localhost", 9))
