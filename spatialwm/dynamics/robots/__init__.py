"""Robots: their descriptions as objects on joints, and what asks their motors for positions."""

from spatialwm.dynamics.robots.robot import Robot, load_robot

__all__ = ["Robot", "load_robot"]
