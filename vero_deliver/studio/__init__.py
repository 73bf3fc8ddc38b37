"""The studio: a page on this machine that shows every message as each recipient gets it.

serve      the command's part: port, server, browser
app        routes; guard: who may ask, and what a page may do
state      what is looked at: all of it stands in the URL
workspace  the project as it is on disk now
people     whom a message is shown for; made: what one of them gets
panes/     what stands behind each tab
live       tells open pages that a file has changed
trouble    what is wrong, with the author's lines
pages/ static/   templates, style and a few lines of script
"""
