import os

import pytest
import requests

URL, ADMIN = os.environ["OCP_URL"], os.environ["OCP_MOCK_ADMIN_URL"]
LIST = URL + "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks"


@pytest.fixture
def ocp():
    """A client of an OCP that is as at its start."""
    requests.post(ADMIN + "/reset", timeout=10).raise_for_status()
    session = requests.Session()
    session.auth = ("admin", "secret")
    return session


def test_failed_backups_are_found(ocp):
    data = ocp.get(LIST, params={"status": "FAILED"}).json()["data"]
    assert data["page"]["totalElements"] == 3
    assert {task["status"] for task in data["contents"]} == {"FAILED"}


def test_an_outage_passes(ocp):
    requests.post(ADMIN + "/faults", json={"times": 1, "action": {"status": 503}}, timeout=10).raise_for_status()
    assert [ocp.get(LIST).status_code for _ in range(2)] == [503, 200]
