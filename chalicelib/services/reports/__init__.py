"""Reports: filing, actions, queues, merging, comments, moderation of texts, import."""
