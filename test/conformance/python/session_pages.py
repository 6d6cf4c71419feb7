from concurrent.futures import ThreadPoolExecutor

from harness import agb, created, done, refused, same, unique

owner = unique("owner")
sessions = []
try:
    for number in range(25):
        sessions.append(created(labels={"owner": owner, "parity": "even" if number % 2 == 0 else "odd"}))
    expected = {session.session_id for session in sessions}

    pages = [done(agb.list({"owner": owner}, page=page)) for page in (1, 2, 3)]
    same([len(page.session_ids) for page in pages], [10, 10, 5])
    same([page.total_count for page in pages], [25, 25, 25])
    same([page.max_results for page in pages], [10, 10, 10])
    same([bool(page.next_token) for page in pages], [True, True, False])
    listed = [session_id for page in pages for session_id in page.session_ids]
    same(len(listed), 25)
    same(set(listed), expected)

    refused(agb.list({"owner": owner}, page=4), "No more pages available")
    refused(agb.list({"owner": owner}, page=0), "Page number must be >= 1")
    same(set(done(agb.list({"owner": owner}, limit=25)).session_ids), expected)
    same(done(agb.list({"owner": owner, "parity": "odd"}, limit=5)).total_count, 12)
    same(done(agb.list({"owner": unique("nobody")})).session_ids, [])
finally:
    with ThreadPoolExecutor(5) as pool:
        for result in pool.map(agb.delete, sessions):
            done(result)
