"""Pages in a browser: log-in, console, memo, customer's file, to-do, the queue of jobs."""
