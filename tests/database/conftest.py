from database.chained import settings  # noqa: F401 - a fixture
from database.servers import (  # noqa: F401 - fixtures
    calls,
    company_server,
    embedded_server,
    empty_database,
    password_file,
    template,
)
