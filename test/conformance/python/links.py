from agb.exceptions import SessionError
from agb.session_params import CreateSessionParams
from harness import agb, created, done

session = created()
try:
    assert "://" in done(session.get_link(protocol_type="https", port=30100)).data
    assert done(session.get_link(protocol_type="wss", port=30199)).data.startswith("ws")
    for wrong in ({"protocol_type": "https", "port": 8080}, {"protocol_type": "http", "port": 30100}, {}):
        try:
            result = session.get_link(**wrong)
        except SessionError:
            continue
        assert not result.success, wrong
finally:
    done(agb.delete(session))

browser = done(agb.create(CreateSessionParams(image_id="agb-browser-use-1"))).session
try:
    assert done(browser.get_link()).data.startswith("ws")
finally:
    done(agb.delete(browser))
