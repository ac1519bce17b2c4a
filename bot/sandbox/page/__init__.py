"""The page that looks like a Discord server in which Easel lives; `page.mount` puts it on a Loopback."""
