"""The quick start from the SDK's documentation."""

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB(api_key="your-api-key")
result = agb.create(CreateSessionParams(image_id="agb-code-space-1"))
assert result.success, result.error_message
session = result.session
code_result = session.code.run("print('Hello AGB!')", "python")
assert code_result.result == "Hello AGB!\n", code_result.error_message
cmd_result = session.command.execute("ls -la")
assert cmd_result.success and " .." in cmd_result.output, cmd_result.error_message
delete_result = agb.delete(session)
assert delete_result.success, delete_result.error_message
