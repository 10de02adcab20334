"""What builds the course into a browser tab: JupyterLite, Python from Pyodide, and the mock server inside."""
