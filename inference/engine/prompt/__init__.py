"""The prompt language: from text to windows of tokens with weights, call by call, as in the webui."""
