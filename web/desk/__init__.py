"""The desk: the screen of the people who distribute, at /desk.

Pages are made here of what the API answers: each page asks the API within the process (`api_calls`) in the name of
whoever has signed in, and each button orders by the API, so scopes, checks, problems and the audit are the same for
people and programs. The desk decides nothing about news.

- `entrance` lets people in: session, Origin of every write, the headers of every answer. `sign_in_limits` slows those
  who guess passwords.
- `routes/` has a module for each group of pages, `templates/` their HTML, `static/` the style sheet and scripts, all of
  them ours or noted in `static/vendor/NOTICE.txt`. Nothing is asked of another host, and no script stands in a page.
- Every page can be read, and an article killed, without JavaScript. With it, pages hear of what happens by one stream
  for all of them (`desk_news`, with a line for each article by `story_lines`) and get anew what has changed; what many
  ask for at the same moment is made once (`shared_answers`, `standing`).
"""
