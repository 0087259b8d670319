from database.servers import embedded_server  # noqa: F401 - a fixture
