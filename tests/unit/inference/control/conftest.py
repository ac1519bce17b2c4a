"""Shared parts of the tests of control: loading a tiny checkpoint by path."""

from tests.unit.inference.models.conftest import load

__all__ = ["load"]
