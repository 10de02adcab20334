"""What makes the mock server answer inside a browser tab, where there are no sockets, threads or processes."""
