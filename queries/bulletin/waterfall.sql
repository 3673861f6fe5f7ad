-- grain: one row per community and step from last month's total to this one's
-- rule: the six rows of the rubric that moved the total most, to two places, and
--   the rest, so that what is printed adds up to the change; largest first
-- build: month
with moved as (
    select
        move.grid_id,
        move.line,
        move.indicator,
        round(sum(move.amount), 2)::decimal(7, 2) as amount
    from bulletin.move as move
    where move.month = $month
        and move.level = 2
        and move.cause <> 'rounding'
    group by move.grid_id, move.line, move.indicator
),

turned as (
    select
        moved.*,
        row_number() over (
            partition by moved.grid_id
            order by abs(moved.amount) desc, name.position nulls last, moved.indicator
        ) as turn
    from moved
    left join seed.line as name
        on moved.line = name.line
    where moved.amount <> 0
),

change as (
    select
        move.grid_id,
        max(move.total_change) as change,
        bool_and(move.is_comparable) as is_comparable
    from bulletin.move as move
    where move.month = $month
        and move.level = 2
    group by move.grid_id
),

step as (
    select grid_id, turn, line, indicator, amount
    from turned
    where turn <= 6
    union all
    select
        change.grid_id,
        7,
        '',
        'rest',
        change.change - coalesce(sum(turned.amount), 0)
    from change
    left join turned
        on change.grid_id = turned.grid_id
        and turned.turn <= 6
    group by change.grid_id, change.change
)

select
    $month as month,
    step.grid_id,
    unit.name,
    step.turn,
    step.line,
    upper(step.indicator) as indicator,
    rubric.name as indicator_name,
    step.amount::decimal(7, 2) as amount,
    (
        total.total - change.change
        + sum(step.amount) over (partition by step.grid_id order by step.turn)
    )::decimal(7, 2) as reached,
    (total.total - change.change)::decimal(7, 2) as last_total,
    total.total,
    change.change as total_change,
    change.is_comparable
from step
inner join change
    on step.grid_id = change.grid_id
inner join score.total as total
    on step.grid_id = total.grid_id
    and total.level = 2
    and total.month = $month
inner join core.month_unit as unit
    on step.grid_id = unit.grid_id
    and unit.month = $month
left join seed.rubric as rubric
    on step.indicator = rubric.indicator
    and rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
where step.amount <> 0
    or step.turn = 7
order by step.grid_id, step.turn
